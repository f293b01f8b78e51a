"""What the engine and the page cost, beside others who do the same. `python -m tests.benchmarks` prints the table."""
