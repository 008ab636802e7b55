"""What `Benchmarks/benchmark.py` is made of: processes, results, tables, charts, and one module a section."""
