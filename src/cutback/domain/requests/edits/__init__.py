"""The edits of a request: what is done to the pictures and the sound of a clip. A file for each stage.

`cutback.domain.requests.edit_list` finds the models in here. The media side of an edit is in `cutting/edits/steps/`,
and its plain values are in `cutting/edit_values/`.
"""
