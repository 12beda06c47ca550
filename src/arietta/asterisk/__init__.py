"""What Asterisk has by name, and what does here what is not here: lists of names, and a reason for each absence."""
