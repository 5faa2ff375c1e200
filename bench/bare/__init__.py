"""The least that Django can do: what the benchmarks hold the service against."""
