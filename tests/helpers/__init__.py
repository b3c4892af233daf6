"""What several tests share: submissions, results, servers, and programs that they run."""
