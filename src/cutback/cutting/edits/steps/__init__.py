"""What Cutback can do to a clip: a file for each edit. Requests list them in the order of their stages.

deinterlace → rotate → crop → scale → sdr → colour, denoise, blur → speed, timelapse, reverse, freeze, loop →
text, clock, image, inset → fade → audio_track, mute, music, channels, gain, loudness, sound_fade
"""
