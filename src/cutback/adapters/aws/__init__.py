"""Ports on AWS: SQS, SNS and Secrets Manager."""
