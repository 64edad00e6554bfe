"""Documents as rows: captures, extractions, articles, their words and signatures."""
