"""What one period holds. Pure; periods are integers handed in, never read off a clock."""
