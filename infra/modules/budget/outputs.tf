output "name" {
  description = "The budget's name in Billing."
  value       = aws_budgets_budget.this.name
}
