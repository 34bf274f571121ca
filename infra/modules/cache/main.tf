# A cache of recordings' indexes for all workers. Losing it costs nothing but speed.

resource "aws_elasticache_cluster" "this" {
  #checkov:skip=CKV_AWS_134:only Redis has snapshots, and a cache does not need them
  cluster_id           = var.name
  engine               = "memcached"
  engine_version       = var.config.engine_version
  parameter_group_name = "default.memcached1.6"
  node_type            = var.config.node_type
  num_cache_nodes      = var.config.nodes
  az_mode              = var.config.nodes > 1 ? "cross-az" : "single-az"
  port                 = 11211
  subnet_group_name    = aws_elasticache_subnet_group.this.name
  security_group_ids   = [aws_security_group.this.id]
  apply_immediately    = true
}

resource "aws_elasticache_subnet_group" "this" {
  name        = var.name
  description = "Cache of ${var.name}"
  subnet_ids  = var.network.subnet_ids
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-cache-"
  description = "Cache of ${var.name}: for its workers"
  vpc_id      = var.network.vpc_id
  tags        = { Name = "${var.name}-cache" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "workers" {
  security_group_id            = aws_security_group.this.id
  description                  = "Workers"
  referenced_security_group_id = var.network.workers_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 11211
  to_port                      = 11211
}
