# shellcheck shell=sh
# The balancer, set up by hand. The certificate of the company is signed by itself here.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -qq install nginx openssl >/dev/null

mkdir -p /etc/nginx/ssl
openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=workspad.company.com \
  -addext subjectAltName=DNS:workspad.company.com \
  -keyout /etc/nginx/ssl/workspad.key -out /etc/nginx/ssl/workspad.crt 2>/dev/null

cat >/etc/nginx/conf.d/workspad.conf <<'NGINX'
# Группа серверов WorksPad (Backends)
upstream workspad_cluster {
    # Метод балансировки: ip_hash важен!
    ip_hash;
    server 192.168.1.122:4430; # Node1
    server 192.168.1.123:4430; # Node2
}

server {
    listen 443 ssl;
    server_name workspad.company.com; # Ваше доменное имя

    # SSL сертификаты
    ssl_certificate /etc/nginx/ssl/workspad.crt;
    ssl_certificate_key /etc/nginx/ssl/workspad.key;

    # Основные настройки SSL
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers HIGH:!aNULL:!MD5;

    # Локация для перенаправления
    location / {
        proxy_pass https://workspad_cluster; # Шлем трафик в наш кластер

        # Важные заголовки, чтобы WorksPad понимал, кто реальный клиент
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;

        # Поддержка WebSocket (критично для WorksPad!)
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";

        # Увеличиваем таймауты для тяжелых файлов
        proxy_read_timeout 300s;
    }
}
NGINX
nginx -t -q
systemctl reload nginx
