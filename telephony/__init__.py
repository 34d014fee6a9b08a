"""The media gateway: lines over SIP (and later WebRTC) behind one interface."""
