"""Small changes of a text that a person may try on a score: negated, another number, another name, a sentence less.

The rules know English and Chinese. They change words, they do not understand them: whoever uses a change sees the new
text and can mend it.
"""
