output "url" {
  description = "The cache, as the program wants it told: memcached://host:port,host:port"
  value       = "memcached://${join(",", [for node in aws_elasticache_cluster.this.cache_nodes : "${node.address}:${node.port}"])}"
}

output "cluster_id" {
  description = "The cluster, for metrics."
  value       = aws_elasticache_cluster.this.cluster_id
}
