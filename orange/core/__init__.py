"""The pure core: values in, values out. No I/O, clock, environment, logging, async or randomness."""
