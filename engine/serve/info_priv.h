/*
 * info: the version whose API this is. Grafana switches features on by it, so it is Prometheus'
 * (Prometheus 3.14).
 */
#ifndef TOCSIN_SERVE_INFO_PRIV_H
#define TOCSIN_SERVE_INFO_PRIV_H

#define PROM_VERSION "3.14.0"

#endif
