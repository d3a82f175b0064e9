# Evaluates an expression in each run, from a checkpoint after the imports.
import json, math, os
from ready import wait_for_run

arguments, variables = wait_for_run()
print(json.dumps(eval(arguments[0], vars(math))), flush=True)
# The normal end of Python visits almost all of its memory.
os._exit(0)
