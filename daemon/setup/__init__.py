"""Puts defocus onto a machine and takes it away again, with the standard library alone.

`install.py` works with these modules before there is any package, and after an environment broke.

    bootstrap -> machine, packages, environment      what `python3 install.py` does
              -> gimp, krita, launcher, command_link, service
                                                 what is put outside of this copy
              -> ledger                              whose all that is
              -> doctor, removal                     what is broken; taking it away
              -> ways                                what to type for a copy, whoever installed it
"""
