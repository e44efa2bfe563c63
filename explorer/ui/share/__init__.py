"""Taking what is on screen elsewhere: a link that restores the inputs, and the calls that give the result in code."""
