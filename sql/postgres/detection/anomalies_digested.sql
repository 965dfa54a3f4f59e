-- How many anomalies a digest ($1) tells of.
SELECT count(*) AS anomalies FROM anomalies WHERE told_by = $1
