from vmbmodel.service.catalogues import LIMITS as LIMITS
from vmbmodel.service.catalogues import PRICES as PRICES
from vmbmodel.service.catalogues import PROFILES as PROFILES
from vmbmodel.service.catalogues import (
    archive_usd_per_gib_month as archive_usd_per_gib_month,
)
from vmbmodel.service.catalogues import limits as limits
from vmbmodel.service.catalogues import prices as prices
from vmbmodel.service.catalogues import profile as profile
from vmbmodel.service.catalogues import (
    storage_usd_per_gib_month as storage_usd_per_gib_month,
)
from vmbmodel.service.constants import STATUSES as STATUSES
from vmbmodel.service.constants import Catalogue as Catalogue
from vmbmodel.service.constants import ConstantSet as ConstantSet
from vmbmodel.service.constants import Origin as Origin
from vmbmodel.service.constants import set_text as set_text
from vmbmodel.service.disks import Tiers as Tiers
from vmbmodel.service.disks import disk_tiers as disk_tiers
from vmbmodel.service.disks import disk_tiers_on as disk_tiers_on
from vmbmodel.service.guarantees import Consistency as Consistency
from vmbmodel.service.guarantees import Encryption as Encryption
from vmbmodel.service.guarantees import consistency as consistency
from vmbmodel.service.guarantees import encryption as encryption
from vmbmodel.service.guarantees import encryptions as encryptions
from vmbmodel.service.open_questions import Reading as Reading
from vmbmodel.service.open_questions import readings as readings
from vmbmodel.service.price_list import Meter as Meter
from vmbmodel.service.price_list import PriceList as PriceList
from vmbmodel.service.price_list import price_book as price_book
from vmbmodel.service.price_list import read_price_list as read_price_list
from vmbmodel.service.priors import Prior as Prior
from vmbmodel.service.rulebook import SEVERITIES as SEVERITIES
from vmbmodel.service.rulebook import Rule as Rule
from vmbmodel.service.rulebook import RuleVersion as RuleVersion
from vmbmodel.service.rulebook import rules as rules
from vmbmodel.service.rulebook import rules_on as rules_on
