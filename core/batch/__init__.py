"""Convert many keypoint files: plan, skip what is done, share the rest among workers, publish whole files, report.

`plan_jobs` finds the inputs; `run_batch` converts them all, each by `convert_one`, which may also be called for a job
anywhere else, such as on a cluster.
"""

from __future__ import annotations

from .conversion import BatchOptions, Outcome, convert_one
from .jobs import SUMMARY_NAME, BatchError, Job, Shard, plan_jobs
from .reports import REPORT_SUFFIX
from .runner import run_batch
from .workers import Worker, WorkerDied, WorkerStartError, failure

__all__ = [
    "REPORT_SUFFIX",
    "SUMMARY_NAME",
    "BatchError",
    "BatchOptions",
    "Job",
    "Outcome",
    "Shard",
    "Worker",
    "WorkerDied",
    "WorkerStartError",
    "convert_one",
    "failure",
    "plan_jobs",
    "run_batch",
]
