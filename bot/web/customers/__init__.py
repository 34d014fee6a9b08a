"""Customers who take a survey in the browser."""
