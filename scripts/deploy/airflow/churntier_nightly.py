"""One night of a prediction, for Airflow.

Exit codes: 1 failed and 3 not ready are tried again; 2 config, 4 refused and
5 superseded fail at once, so that a person looks.
"""

import subprocess
from datetime import datetime, timedelta

from airflow import DAG
from airflow.exceptions import AirflowException, AirflowFailException
from airflow.operators.python import PythonOperator

CONFIG = "/etc/churntier/churn.yaml"
FINAL = {2: "config or model", 4: "refused", 5: "superseded"}


def publish(ds: str) -> None:
    done = subprocess.run(["churntier", "run", "-c", CONFIG, "--date", ds, "--quiet"], check=False)
    if done.returncode in FINAL:
        raise AirflowFailException(f"{FINAL[done.returncode]}; see the log")
    if done.returncode != 0:
        raise AirflowException(f"exit code {done.returncode}; tried again")


with DAG(
    "churntier",
    schedule="30 4 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
):
    PythonOperator(
        task_id="publish",
        python_callable=publish,
        op_kwargs={"ds": "{{ ds }}"},
        retries=24,
        retry_delay=timedelta(minutes=15),
        execution_timeout=timedelta(hours=7),
    )
