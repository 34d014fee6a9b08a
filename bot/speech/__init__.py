"""Recognition, synthesis, voice activity and prompts."""
