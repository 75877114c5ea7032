"""What made the corpora, the dictionary and the weights: `python -m recipes.corpus.build`."""
