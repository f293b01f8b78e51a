"""See the design in README: one layer of claude_nb."""
