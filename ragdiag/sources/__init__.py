"""What a team gives: its corpus, its queries and labels, its own chunks."""
