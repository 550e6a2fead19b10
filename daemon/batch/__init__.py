"""Many pictures: found, given to workers here or elsewhere, journalled; resumes after any end.

What is done with a picture is handed in (`work.Work`): photos are developed and data sets are made
through the same runner.
"""
