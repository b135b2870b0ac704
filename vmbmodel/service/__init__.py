"""What Azure Backup is and costs: sourced, dated and immutable."""
