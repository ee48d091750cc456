"""What the recogniser of persons' names is trained with: lists, sentences that names are put into, and the teacher."""
