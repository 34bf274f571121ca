"""The edits of a job as plain values. A file for each stage; `cutback.cutting.edit_kinds` finds what is in here."""
