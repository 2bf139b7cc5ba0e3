/* Classifies routes with rtrlib, for benchmarks/classification.py.
 *
 *     rtrlib_classify VRPS ROUTES ROUNDS
 *
 * Both files hold records of eight 32-bit words in host order: IP version, four address words (IPv4 in the first),
 * prefix length, max_length (VRPs only), AS number. Prints the seconds to build the table, the seconds of the best
 * round, and the counts of valid, not-found and invalid routes.
 */
#include <rtrlib/rtrlib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct record {
	uint32_t version, address[4], length, max_length, asn;
};

static struct record *load(const char *path, size_t *count)
{
	FILE *file = fopen(path, "rb");
	if (!file || fseek(file, 0, SEEK_END)) {
		perror(path);
		exit(1);
	}
	*count = (size_t)ftell(file) / sizeof(struct record);
	rewind(file);
	struct record *records = malloc(*count * sizeof(struct record) + 1);
	if (!records || fread(records, sizeof(struct record), *count, file) != *count) {
		perror(path);
		exit(1);
	}
	fclose(file);
	return records;
}

static struct lrtr_ip_addr address_of(const struct record *record)
{
	struct lrtr_ip_addr address = {.ver = record->version == 4 ? LRTR_IPV4 : LRTR_IPV6};
	if (record->version == 4)
		address.u.addr4.addr = record->address[0];
	else
		for (int i = 0; i < 4; i++)
			address.u.addr6.addr[i] = record->address[i];
	return address;
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	size_t vrps, routes;
	if (argc != 4)
		return 2;
	struct record *vrp = load(argv[1], &vrps);
	struct record *route = load(argv[2], &routes);
	struct pfx_table table;

	double start = now();
	pfx_table_init(&table, NULL);
	for (size_t i = 0; i < vrps; i++) {
		struct pfx_record record = {.asn = vrp[i].asn,
					    .prefix = address_of(&vrp[i]),
					    .min_len = (uint8_t)vrp[i].length,
					    .max_len = (uint8_t)vrp[i].max_length,
					    .socket = NULL};
		int result = pfx_table_add(&table, &record);
		if (result != PFX_SUCCESS) {
			fprintf(stderr, "rtrlib refused VRP %zu (%d)\n", i, result);
			return 1;
		}
	}
	double build = now() - start;

	double best = 1e9;
	size_t counts[3];
	for (int round = 0; round < atoi(argv[3]); round++) {
		counts[0] = counts[1] = counts[2] = 0;
		start = now();
		for (size_t i = 0; i < routes; i++) {
			struct lrtr_ip_addr address = address_of(&route[i]);
			enum pfxv_state state;
			pfx_table_validate(&table, route[i].asn, &address, (uint8_t)route[i].length, &state);
			counts[state]++;
		}
		double seconds = now() - start;
		if (seconds < best)
			best = seconds;
	}
	printf("%.9f %.9f %zu %zu %zu\n", build, best, counts[BGP_PFXV_STATE_VALID],
	       counts[BGP_PFXV_STATE_NOT_FOUND], counts[BGP_PFXV_STATE_INVALID]);
	return 0;
}
