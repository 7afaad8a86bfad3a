"""Models of DeePMD-kit read into the float model; DeePMD-kit and TensorFlow are not needed."""
