"""What other systems may ask over HTTP: `/api/v1`."""

API = "/api/v1"
