"""What managers read: scores, the funnel, employees, and their exports."""
