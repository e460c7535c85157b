"""POST /sns: what SNS posts is believed, and nothing else."""
