output "url" {
  description = "The URL of the cache: memcached://host:port,host:port"
  value       = "memcached://${join(",", [for node in aws_elasticache_cluster.this.cache_nodes : "${node.address}:${node.port}"])}"
}

output "cluster_id" {
  description = "The name of the cluster, for metrics."
  value       = aws_elasticache_cluster.this.cluster_id
}
