output "name" {
  description = "The name of the budget in Billing."
  value       = aws_budgets_budget.this.name
}
