"""Makes the table of word pieces in third_party/minilm from all-MiniLM-L6-v2; see the README there."""
