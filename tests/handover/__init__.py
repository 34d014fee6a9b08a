"""The matrix: every edge of a handover, in every form, against real SIP peers."""
