"""What an execution leaves behind besides its result: step entries and call logs."""
