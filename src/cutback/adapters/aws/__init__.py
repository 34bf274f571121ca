"""Ports fulfilled by AWS: SQS, SNS, Secrets Manager."""
