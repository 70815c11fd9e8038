"""Tables for `app.generate`: what Dutch firms are called, where they sit, what they do and what they run.

Everything here is invented or common: surnames that thousands bear, places, trades, and products with versions that
were really released. Addresses and domains are those that the RFCs set aside for documentation.
"""

SURNAMES = (
    "De Vries", "Jansen", "Van den Berg", "Bakker", "Visser", "Smit", "Meijer", "De Boer", "Mulder", "De Groot",
    "Bos", "Vos", "Peters", "Hendriks", "Van Leeuwen", "Dekker", "Brouwer", "De Wit", "Dijkstra", "Smits",
    "De Graaf", "Van der Meer", "Van der Linden", "Kok", "Jacobs", "De Haan", "Vermeulen", "Van den Heuvel",
    "Van der Veen", "Van den Broek", "De Bruijn", "Schouten", "Van Beek", "Willems", "Van Vliet", "Hoekstra",
    "Koster", "Prins", "Blom", "Huisman", "Peeters", "De Jonge", "Kuipers", "Van Veen", "Kramer", "Van Wijk",
    "Postma", "Martens", "Timmermans", "Groen", "Gerritsen", "Bosman", "Wolters", "Sanders", "Hofman", "Veenstra",
)  # fmt: skip

PLACES: tuple[tuple[str, str, int], ...] = (
    ("Amsterdam", "NL-NH", 12), ("Haarlem", "NL-NH", 4), ("Alkmaar", "NL-NH", 3), ("Rotterdam", "NL-ZH", 9),
    ("Den Haag", "NL-ZH", 7), ("Leiden", "NL-ZH", 3), ("Dordrecht", "NL-ZH", 2), ("Utrecht", "NL-UT", 7),
    ("Amersfoort", "NL-UT", 4), ("Eindhoven", "NL-NB", 6), ("Tilburg", "NL-NB", 4), ("Breda", "NL-NB", 4),
    ("Helmond", "NL-NB", 2), ("Arnhem", "NL-GE", 4), ("Nijmegen", "NL-GE", 4), ("Apeldoorn", "NL-GE", 3),
    ("Ede", "NL-GE", 2), ("Zwolle", "NL-OV", 3), ("Enschede", "NL-OV", 3), ("Deventer", "NL-OV", 2),
    ("Groningen", "NL-GR", 4), ("Leeuwarden", "NL-FR", 3), ("Drachten", "NL-FR", 1), ("Assen", "NL-DR", 2),
    ("Emmen", "NL-DR", 2), ("Almere", "NL-FL", 3), ("Lelystad", "NL-FL", 1), ("Maastricht", "NL-LI", 3),
    ("Venlo", "NL-LI", 2), ("Middelburg", "NL-ZE", 1), ("Goes", "NL-ZE", 1),
)  # fmt: skip
"""Place, ISO 3166-2 region, weight."""

TRADES: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("62.01", 9, 5, ("Software", "Webontwikkeling", "Applicatiebouw")),
    ("62.02", 8, 5, ("ICT Advies", "Automatisering", "IT Consultancy")),
    ("62.03", 1, 4, ("Systeembeheer", "Hosting & Beheer", "Cloudbeheer")),
    ("70.22", 12, 4, ("Organisatieadvies", "Interim Management", "Bedrijfsadvies")),
    ("43.21", 5, 5, ("Elektrotechniek", "Installatietechniek")),
    ("43.22", 4, 5, ("Loodgietersbedrijf", "Installatiebedrijf", "Klimaattechniek")),
    ("43.34", 4, 2, ("Schildersbedrijf", "Onderhoud & Schilderwerk")),
    ("41.20", 5, 5, ("Bouwbedrijf", "Aannemersbedrijf")),
    ("16.23", 2, 2, ("Timmerfabriek", "Houtbewerking")),
    ("25.62", 1, 6, ("Metaal", "Metaalbewerking", "Verspaning")),
    ("25.11", 1, 4, ("Constructie", "Staalbouw")),
    ("28.29", 0, 3, ("Machinebouw", "Machinefabriek")),
    ("10.71", 2, 3, ("Bakkerij", "Brood- en Banketbakkerij")),
    ("01.13", 2, 3, ("Kwekerij", "Groentekwekerij")),
    ("01.41", 4, 2, ("Melkveehouderij", "Maatschap")),
    ("46.90", 3, 8, ("Groothandel", "Handelsonderneming", "Import & Export")),
    ("47.11", 1, 4, ("Supermarkt", "Buurtsuper")),
    ("47.91", 6, 4, ("Webwinkel", "Online Retail")),
    ("45.20", 3, 4, ("Autobedrijf", "Garage")),
    ("49.41", 3, 5, ("Transport", "Wegvervoer")),
    ("52.29", 1, 4, ("Logistiek", "Expeditie")),
    ("55.10", 1, 3, ("Hotel", "Herberg")),
    ("56.10", 4, 6, ("Restaurant", "Eetcafé", "IJssalon")),
    ("66.22", 1, 4, ("Assurantiën", "Verzekeringsadvies")),
    ("68.20", 1, 3, ("Vastgoed", "Vastgoedverhuur")),
    ("69.10", 2, 4, ("Advocaten", "Juridisch Advies")),
    ("69.20", 4, 6, ("Administratiekantoor", "Accountants")),
    ("71.11", 3, 3, ("Architecten", "Ontwerpbureau")),
    ("71.12", 4, 4, ("Ingenieurs", "Adviesbureau Techniek")),
    ("73.11", 4, 2, ("Reclamebureau", "Communicatie")),
    ("74.10", 5, 1, ("Vormgeving", "Productontwerp")),
    ("74.20", 4, 0, ("Fotografie", "Beeldproductie")),
    ("78.20", 0, 4, ("Uitzendbureau", "Flexwerk")),
    ("81.21", 3, 3, ("Schoonmaak", "Facilitaire Diensten")),
    ("81.30", 3, 2, ("Hoveniers", "Tuinaanleg")),
    ("85.59", 6, 2, ("Opleidingen", "Training & Coaching")),
    ("86.21", 1, 3, ("Huisartsenpraktijk",)),
    ("86.23", 1, 3, ("Tandartspraktijk", "Mondzorg")),
    ("96.02", 7, 2, ("Kapsalon", "Haarmode")),
)  # fmt: skip
"""SBI code, weight among one-person firms, weight among the others, what such a firm is called."""

Product = tuple[str, str, str, tuple[str, ...]]
"""Vendor, product, CPE part `vendor:product`, versions in use."""

FIREWALLS: tuple[Product, ...] = (
    ("Fortinet", "FortiOS", "fortinet:fortios",
     ("7.0.12", "7.0.14", "7.0.17", "7.2.3", "7.2.5", "7.2.8", "7.2.10", "7.4.1", "7.4.4", "7.4.7", "7.6.1")),
    ("SonicWall", "SonicOS", "sonicwall:sonicos", ("7.0.1-5145", "7.1.1-7058", "7.1.3-7015")),
    ("Sophos", "Firewall", "sophos:firewall", ("19.5.3", "20.0.2", "21.0.0")),
    ("WatchGuard", "Fireware", "watchguard:fireware", ("12.10.4", "12.11.0")),
    ("Palo Alto Networks", "PAN-OS", "paloaltonetworks:pan-os",
     ("10.2.7", "10.2.12", "11.0.2", "11.1.1", "11.1.6")),
    ("Cisco", "Adaptive Security Appliance Software", "cisco:adaptive_security_appliance_software",
     ("9.16.4", "9.18.3", "9.20.2")),
)  # fmt: skip

REMOTE: tuple[Product, ...] = (
    ("Citrix", "NetScaler ADC", "citrix:netscaler_application_delivery_controller",
     ("13.0-91.13", "13.1-48.47", "13.1-51.15", "14.1-8.50", "14.1-4.42", "14.1-29.72")),
    ("Ivanti", "Connect Secure", "ivanti:connect_secure", ("9.1R18.9", "22.7R2.3", "22.7R2.4", "22.7R2.5")),
    ("Citrix", "NetScaler Gateway", "citrix:netscaler_gateway", ("13.1-48.47", "14.1-8.50", "14.1-12.35")),
)  # fmt: skip

SERVERS: tuple[Product, ...] = (
    ("Microsoft", "Exchange Server", "microsoft:exchange_server",
     ("15.1.2507.35", "15.2.1118.40", "15.2.1258.28", "15.2.1544.4")),
    ("VMware", "ESXi", "vmware:esxi", ("6.7", "7.0", "7.0 U3s", "8.0", "8.0 U3d")),
    ("Microsoft", "Windows Server", "microsoft:windows_server_2019", ("2016", "2019", "2022", "2025")),
    ("Veeam", "Backup & Replication", "veeam:backup_\\&_replication", ("11.0.1.1261", "12.1.2.172", "12.3.0.310")),
    ("Synology", "DiskStation Manager", "synology:diskstation_manager", ("7.1.1-42962", "7.2.2-72806")),
    ("QNAP", "QTS", "qnap:qts", ("5.1.8.2823", "5.2.2.2950")),
    ("Progress", "MOVEit Transfer", "progress:moveit_transfer", ("2021.1.3", "2022.1.4", "2023.0.0", "2024.0.2")),
    ("Atlassian", "Confluence Data Center", "atlassian:confluence_data_center", ("7.19.16", "8.5.4", "9.2.1")),
    ("SAP", "NetWeaver", "sap:netweaver", ("7.40", "7.50")),
)  # fmt: skip

OFFICE: tuple[Product, ...] = (
    ("Microsoft", "365 Apps", "microsoft:365_apps", ()),
    ("Exact", "Globe+", "exact:globe", ("502", "504")),
    ("AFAS", "Profit", "afas:profit", ()),
    ("TeamViewer", "TeamViewer", "teamviewer:teamviewer", ("15.41.10", "15.58.5", "15.62.4")),
    ("WordPress", "WordPress", "wordpress:wordpress", ("6.2.2", "6.4.3", "6.6.2", "6.7.1")),
    ("7-Zip", "7-Zip", "7-zip:7-zip", ("22.01", "23.01", "24.09")),
    ("Adobe", "Acrobat Reader", "adobe:acrobat_reader_dc", ("23.008.20533", "24.005.20320")),
    ("Google", "Chrome", "google:chrome", ()),
)  # fmt: skip

PACKAGES = (
    "pkg:pypi/django@4.2.1", "pkg:pypi/requests@2.31.0", "pkg:npm/express@4.18.2", "pkg:npm/lodash@4.17.20",
    "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "pkg:maven/org.springframework/spring-core@5.3.18",
    "pkg:composer/symfony/http-kernel@5.4.20", "pkg:nuget/Newtonsoft.Json@12.0.3", "pkg:pypi/jinja2@3.1.2",
)  # fmt: skip
