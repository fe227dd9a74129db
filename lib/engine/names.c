/* names: made-up names for containers. */
#include "engine/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/cleanup.h"

static const char *const ships[] = {
	"barge",   "barque",   "brig",	  "caravel", "carrack",	 "catamaran", "clipper", "coaster",  "cog",
	"collier", "corvette", "cutter",  "dhow",    "dinghy",	 "dory",      "dredger", "felucca",  "ferry",
	"frigate", "galleon",  "galley",  "gondola", "hoy",	 "hulk",      "junk",	 "kayak",    "keelboat",
	"ketch",   "launch",   "lighter", "liner",   "longship", "lugger",    "packet",	 "pilot",    "pinnace",
	"pontoon", "proa",     "punt",	  "raft",    "sampan",	 "schooner",  "scow",	 "shallop",  "skiff",
	"sloop",   "smack",    "steamer", "tanker",  "tender",	 "trawler",   "trireme", "trimaran", "tug",
	"wherry",  "xebec",    "yacht",	  "yawl",
};

static const char *const ports[] = {
	"aarhus",     "abidjan",    "aden",	 "agadir",   "algiers",	   "antwerp",	"aqaba",      "arica",
	"auckland",   "bahia",	    "baku",	 "balboa",   "barcelona",  "bari",	"batumi",     "beira",
	"belfast",    "bergen",	    "bilbao",	 "bissau",   "bordeaux",   "bremen",	"brest",      "brindisi",
	"busan",      "cadiz",	    "calais",	 "callao",   "cardiff",	   "cartagena", "casablanca", "chennai",
	"cork",	      "dakar",	    "dalian",	 "djibouti", "dover",	   "dubrovnik", "durban",     "esbjerg",
	"felixstowe", "fremantle",  "galway",	 "gdansk",   "genoa",	   "ghent",	"gibraltar",  "gijon",
	"gothenburg", "haifa",	    "hakata",	 "halifax",  "hamburg",	   "havana",	"helsinki",   "hobart",
	"honolulu",   "hull",	    "iquique",	 "izmir",    "jakarta",	   "kaohsiung", "karachi",    "kiel",
	"kobe",	      "kochi",	    "lagos",	 "larnaca",  "leith",	   "lisbon",	"livorno",    "lome",
	"luanda",     "malaga",	    "malmo",	 "manila",   "maputo",	   "marseille", "mersin",     "messina",
	"mombasa",    "montevideo", "montreal",	 "muscat",   "nagoya",	   "nantes",	"naples",     "narvik",
	"oporto",     "oran",	    "osaka",	 "oslo",     "oulu",	   "palermo",	"penang",     "piraeus",
	"plymouth",   "ravenna",    "riga",	 "rijeka",   "rostock",	   "rotterdam", "salerno",    "santos",
	"seattle",    "split",	    "stavanger", "suva",     "sydney",	   "taranto",	"tallinn",    "tangier",
	"trieste",    "tromso",	    "tunis",	 "valencia", "valparaiso", "varna",	"venice",     "vigo",
	"yokohama",   "zadar",	    "zeebrugge",
};

int names_make_up(unsigned attempt, char **ret, teu_error **err)
{
	uint32_t random[3];
	int n;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_errno(err, errno, "getrandom");
	if (attempt < 4)
		n = asprintf(ret, "%s_%s", ships[random[0] % ARRAY_SIZE(ships)], ports[random[1] % ARRAY_SIZE(ports)]);
	else
		n = asprintf(ret, "%s_%s_%08" PRIx32, ships[random[0] % ARRAY_SIZE(ships)],
			     ports[random[1] % ARRAY_SIZE(ports)], random[2]);
	return n < 0 ? err_oom(err) : 0;
}
