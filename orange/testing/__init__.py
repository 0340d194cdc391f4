"""What ships for testing projects that use orange: fakes, builders, a scripted agent, a pytest plugin."""
