output "dashboard" {
  description = "The page of the whole path."
  value       = "https://${local.region}.console.aws.amazon.com/cloudwatch/home?region=${local.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.this.dashboard_name}"
}

output "alarms_topic_arn" {
  description = "The topic of alarms; null if nobody is told by e-mail."
  value       = one(aws_sns_topic.alarms[*].arn)
}

output "alarms" {
  description = "Every alarm's name."
  value = sort(concat(
    [for alarm in aws_cloudwatch_metric_alarm.queue : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.function : alarm.alarm_name],
    [aws_cloudwatch_metric_alarm.silence.alarm_name, aws_cloudwatch_metric_alarm.announcing.alarm_name],
  ))
}
