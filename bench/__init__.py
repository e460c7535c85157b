"""What `make bench` measures: figures of one run on this machine, as ratios where machines differ."""
