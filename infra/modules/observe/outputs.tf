output "dashboard" {
  description = "The URL of the dashboard."
  value       = "https://${local.region}.console.aws.amazon.com/cloudwatch/home?region=${local.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.this.dashboard_name}"
}

output "alarms_topic_arn" {
  description = "The topic of alarms; null without e-mail addresses."
  value       = one(aws_sns_topic.alarms[*].arn)
}

output "alarm_topics" {
  description = "All topics that receive alarms."
  value       = local.told
}

output "alarms" {
  description = "The names of all alarms."
  value = sort(concat(
    [for alarm in aws_cloudwatch_metric_alarm.dead_letters : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.age : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.function : alarm.alarm_name],
    [aws_cloudwatch_metric_alarm.silence.alarm_name, aws_cloudwatch_metric_alarm.announcing.alarm_name],
  ))
}
