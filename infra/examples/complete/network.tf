# Private subnets in two zones, one NAT gateway, and an endpoint for S3 that bypasses it: recordings and clips are most of
# the traffic, and a NAT gateway is billed by the gigabyte.

module "network" {
  source = "../../modules/network"

  name = var.name
}
