output "network" {
  description = "The value of the root's variable `network`."
  value = {
    vpc_id     = aws_vpc.this.id
    subnet_ids = aws_subnet.private[*].id
  }

  # What starts in the subnets must be able to reach AWS.
  depends_on = [aws_route.out, aws_route_table_association.private, aws_vpc_endpoint.s3, aws_vpc_endpoint.aws]
}

output "nat_address" {
  description = "The address from which functions, workers and API reach the internet, for the access list of your MongoDB; null without NAT."
  value       = one(aws_eip.nat[*].public_ip)
}
