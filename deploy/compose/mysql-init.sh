# Read by the entry point of the MySQL image at the first start: a database for each service, and a user who may use that
# one and nothing else. docker_process_sql is the entry point's own.
# shellcheck shell=bash

for service in readmodel notify; do
	docker_process_sql <<-SQL
		CREATE DATABASE $service CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
		CREATE USER '$service'@'%' IDENTIFIED BY '$(cat "/run/secrets/mysql-$service-password")';
		GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, LOCK TABLES ON $service.* TO '$service'@'%';
	SQL
done
